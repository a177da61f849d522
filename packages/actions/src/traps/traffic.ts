import type { Trap } from './trap.ts';

/** What goes wrong around the move, where users and alerts are. */
export const TRAFFIC_TRAPS: Readonly<Record<string, Trap>> = {
  T75: {
    title: 'Taking the zone for what users get',
    guide: `"switch your DNS to redirect the traffic to the destination".`,
    happens: `the zone says the new address at once, and so does every look at it. Resolvers go on answering the old one for as long as they
were told an hour ago, some for longer, and some programs never ask again. Whoever turns the old place off turns those users off. A lower TTL
that is published together with the switch comes too late for them.`,
    signalbox: `\`dns.answer\` asks the servers that are named to it, each for itself, and says what they answer and for how long that is believed.
In \`services-move\` the TTL is lowered ahead, the old one is waited out, and it is looked at from several hosts, with the resolver that users
there have (\`ttlSeconds\`, \`wrong\`), before and after the switch. The old address goes on serving, and sends to the new place, until its own log
says that nobody comes any more (\`nginx.requests\`). The way back waits for caches in the same manner.`,
  },
  T76: {
    title: 'Leaving alerts, and what acts on them, as they are',
    guide: `nothing.`,
    happens: `services that are stopped on purpose page somebody at night, and what repairs things by itself starts them again. Or somebody
silences everything by hand, and after the move nobody is told of anything for a week.`,
    signalbox: `\`alertmanager.silence\` silences the alerts that are named for a time that ends in any case, looks before it adds one, so that a crash
leaves no second one, and is taken back by undo. Other remediation is paused and resumed with \`http.request\`, which undo turns round. At the end of
\`services-move\` both are as they were.`,
  },
};
