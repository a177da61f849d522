/** What the pages below docs/reference are written with. Each package makes its own page from its own catalogues. */
export * from './table.ts';
