export * from './catalogue.ts';
export * from './codes.ts';
export * from './contract.ts';
export { actionsReference, trapsPage } from './reference.ts';
export * from './traps.ts';
