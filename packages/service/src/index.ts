export * from './service-manager.ts';
