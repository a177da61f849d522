/** For commander: an option that may be given again and again. Loads nothing, because every start of the CLI loads it. */
export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
