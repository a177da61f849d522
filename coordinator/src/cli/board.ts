import { emitKeypressEvents } from 'node:readline';
import { heldScreen } from '../screens/held.ts';
import { cut } from '../screens/layout.ts';
import { runModel } from '../screens/model.ts';
import { WATCH_KEYS, watchScreen } from '../screens/watch.ts';
import { whyScreen } from '../screens/why.ts';
import { failureOf, renderFailure } from './errors.ts';
import type { Following } from './following.ts';
import { OutputReader, outputLines } from './output.ts';
import { paintLine } from './paint.ts';

/** Between two looks; clocks on the board move by the second. */
const TICK_MS = 1_000;
/** Of live output, as many as fit beside nothing else. */
const OUTPUT_LINES = 30;

type View = 'board' | 'why' | 'logs';

interface Board extends Following {
  view: View;
  /** Lines that the last drawing took; the next one goes over them. */
  drawn: number;
  /** What became of the last key that asked for something. */
  notice: readonly string[];
  asking: boolean;
  readonly reader: OutputReader;
  output: string[];
}

/** Screen 2, redrawn in place until the run ends or the person leaves; a held run shows screen 3. */
export async function board(following: Following): Promise<void> {
  const reader = new OutputReader(following.client, { run: following.feed.log.run });
  const board: Board = { ...following, view: 'board', drawn: 0, notice: [], asking: false, reader, output: [] };
  const { feed, stop } = board;
  const release = listen(board);
  try {
    const left = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!stop.signal.aborted) {
      // A mesh that does not answer must not keep a person who wants to leave.
      await Promise.race([feed.refresh({ live: true }), left]);
      if (!board.asking) await draw(board);
      if (feed.ended) return;
      await feed.wait(TICK_MS, stop.signal);
    }
  } finally {
    release();
  }
}

async function draw(board: Board): Promise<void> {
  const { io, paint } = board.cli;
  const width = Math.max(60, io.columns);
  const screen = await screenOf(board, width - 1);
  const whole = [...screen, ...board.notice].map((line) => cut(line, width - 1));
  const lines =
    whole.length < io.rows ? whole : [...whole.slice(0, io.rows - 2), '(more than fits; make the terminal higher)'];
  const up = board.drawn > 0 ? `\u001b[${board.drawn}A\r` : '';
  io.out(`${up}${lines.map((line) => `${paintLine(line, paint)}\u001b[K\n`).join('')}\u001b[J`);
  board.drawn = lines.length;
}

async function screenOf(board: Board, width: number): Promise<string[]> {
  const { feed, view, reader } = board;
  const input = feed.input();
  const keys = feed.ended ? undefined : WATCH_KEYS;
  if (view === 'logs') {
    board.output.push(...outputLines(await reader.next().catch(() => [])));
    board.output = board.output.slice(-OUTPUT_LINES);
    return [...(board.output.length > 0 ? board.output : ['no output yet']), '', '[l] back to the board'];
  }
  if (view === 'why') return [...whyScreen(input), '', '[w] back to the board'];
  if (input.state.status === 'held') return [...heldScreen(input), '', ...(keys === undefined ? [] : [keys])];
  return watchScreen(runModel(input), { width, ...(keys === undefined ? {} : { keys }) });
}

/** Keys work only where a person sits. @returns what gives the terminal back. */
function listen(board: Board): () => void {
  const { stdin, canAsk } = board.cli.io;
  if (!canAsk) return () => {};
  const onKey = (_text: string | undefined, key: { name?: string; ctrl?: boolean }) => void pressed(board, key);
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.resume();
  stdin.on('keypress', onKey);
  return () => {
    stdin.off('keypress', onKey);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

async function pressed(board: Board, { name, ctrl }: { name?: string; ctrl?: boolean }): Promise<void> {
  if (board.asking) return;
  const { feed, client, stop } = board;
  const { run } = feed.log;
  const other = (view: View) => (board.view === view ? 'board' : view);
  if (name === 'q' || (ctrl === true && name === 'c')) stop.abort();
  if (name === 'w') board.view = other('why');
  if (name === 'l') board.view = other('logs');
  if (name === 'n') await say(board, 'note: ', (text) => client.ask('note', { run, text }));
  if (name === 'p') {
    const verb = feed.log.state.status === 'paused' ? 'resume' : 'pause';
    await say(board, `${verb} ${run}? Why (empty: no): `, (note) => client.ask(verb, { run, note }));
  }
  feed.nudge();
}

/** Asks for a line with the terminal in its ordinary mode, then does what it is for. */
async function say(board: Board, question: string, act: (text: string) => Promise<unknown>): Promise<void> {
  const { io, paint } = board.cli;
  board.asking = true;
  io.stdin.setRawMode(false);
  try {
    const text = (await io.ask(question))?.trim() ?? '';
    if (text !== '') await act(text);
    board.notice = [];
  } catch (error) {
    board.notice = renderFailure(failureOf(error), paint);
  } finally {
    io.stdin.setRawMode(true);
    io.stdin.resume();
    // The question took a line of its own below the board.
    board.drawn = 0;
    board.asking = false;
  }
}
