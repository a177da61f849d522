export type { Compression } from './debian.ts';
export { buildPackages, type Packages, type PackagesOptions } from './packages.ts';
export { sbomOf } from './sbom.ts';
