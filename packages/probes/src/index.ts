export * from './catalogue.ts';
export * from './codes.ts';
export * from './contract.ts';
export { probesReference } from './reference.ts';
