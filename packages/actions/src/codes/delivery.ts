import type { CodeCatalogue } from '@signalbox/protocol';

/** What can go wrong with code, images, what serves them and what watches them. */
export const DELIVERY_CODES = {
  'SB-ACT-GIT-REPOSITORY': {
    class: 'terminal',
    means: 'The folder is no git working tree, or another one than was named.',
    next: 'Give the folder that has .git in it; nothing was changed.',
  },
  'SB-ACT-GIT-DIRTY': {
    class: 'terminal',
    means:
      'Files under version control have been changed by hand, and another revision would lose that or mix with it.',
    next: 'Look at `git status` and `git diff` on the host; commit, or put them back.',
  },
  'SB-ACT-GIT-REVISION': {
    class: 'terminal',
    means: 'A revision is not in the repository, or the working tree is not at the one that it should be at.',
    next: 'Fetch it first, or let the step fetch with `remote`; give a whole commit or a tag, not a branch.',
  },
  'SB-ACT-NGINX-CONFIG': {
    class: 'terminal',
    means: 'nginx does not take its configuration; it goes on with the one that it has.',
    next: 'Run `nginx -t` on the host; the message is its own.',
  },
  'SB-ACT-NGINX-RELOAD': {
    class: 'terminal',
    means: 'nginx does not run, or has no new workers after it was told to read its configuration.',
    next: 'Look at `systemctl status nginx` and its error log on the host.',
  },
  'SB-ACT-ALERTMANAGER': {
    class: 'terminal',
    means: 'What answers there is no Alertmanager with the API v2, or it refused the silence.',
    next: 'Give its URL without `/api/v2`, and the Authorization header if it wants one; the message has its own words.',
  },
  'SB-ACT-GO-MODULE': {
    class: 'terminal',
    means: 'The folder is no Go module.',
    next: 'Give the working tree that has go.mod; nothing was changed.',
  },
  'SB-ACT-OUTPUT-EXISTS': {
    class: 'terminal',
    means: 'A file is there already where a program was to be built. It was not touched.',
    next: 'Name another path, such as one with the version in it, or remove the file if nobody needs it.',
  },
  'SB-ACT-NPM-PROJECT': {
    class: 'terminal',
    means: 'The folder is no project that can be built exactly: package.json, the script, or the lock file is missing.',
    next: 'Give the folder with package.json and package-lock.json (`npm install --package-lock-only` writes one); nothing was changed.',
  },
  'SB-ACT-COMPOSE-FILE': {
    class: 'terminal',
    means: 'A compose file is not there, is not understood, or does not have the service.',
    next: 'Run `docker compose -f FILE config` on the host; nothing was changed.',
  },
  'SB-ACT-CONTAINER': {
    class: 'terminal',
    means: 'A container is not what it should be: it does not run, does not stay up, or has another image.',
    next: 'Look at `docker ps -a` and `docker logs` on the host.',
  },
} as const satisfies CodeCatalogue;
