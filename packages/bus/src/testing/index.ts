export * from './contract.ts';
export * from './operator-mode.ts';
