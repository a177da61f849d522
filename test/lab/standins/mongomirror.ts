// `mongomirror` on a host in the lab: really copies a replica set into another and then follows its oplog, with the command
// line, status page, bookmark and failure habits of MongoMirror (MongoDB's reference of mongomirror).
//
//   mongomirror --host RS/h1:p,h2:p --destination RS/h:p --config passwords.yaml --username U --destinationUsername U
//               [--includeDB D]... [--includeNamespace D.C]... --bookmarkFile F --httpStatusPort P [--oplogPath DIR] [--drop]
//
// A namespace that the destination has already is an error without --drop. On an error it exits with 1; with a status
// port it does not: it says errorMessage, and does nothing more.
import { createServer } from 'node:http';
import { leaveMark } from './mark.ts';
import { parseMirrorArguments } from './mongomirror/arguments.ts';
import { Mirror } from './mongomirror/mirror.ts';

export function main(root: string): void {
  const argv = process.argv.slice(2);
  if (argv.includes('--version')) {
    process.stdout.write('mongomirror version: 0.12.8\n');
    return;
  }
  leaveMark(root, true, argv);
  const options = parseMirrorArguments(argv);
  if ('wrong' in options) {
    process.stderr.write(`error parsing command line options: ${options.wrong}\n`);
    process.exitCode = 1;
    return;
  }
  const mirror = new Mirror(options);
  if (options.httpStatusPort !== undefined) {
    createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(mirror.statusText());
    }).listen(options.httpStatusPort, '127.0.0.1');
  }
  process.once('SIGTERM', () => {
    mirror.writeBookmark();
    process.exit(0);
  });
  mirror.run().catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`mongomirror: ${message}\n`);
    if (options.httpStatusPort === undefined) process.exit(1);
    mirror.fail(message);
  });
}
