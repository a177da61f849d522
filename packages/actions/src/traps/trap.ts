/** A command of the migration guide that does harm, and what Signalbox does in its place. Texts are Markdown. */
export interface Trap {
  title: string;
  /** What the guide has people type. */
  guide: string;
  happens: string;
  signalbox: string;
}
