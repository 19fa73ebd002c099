// The floors as dependency-cruiser rules: lower floors only, no builtin, no dynamic import, no cycle, no way round an exports map.
// Source followed: the design's house of floors and its rule that everything below floor 8 is isomorphic.
// Simplified: rules see sources (type imports included); test files may import what they like from npm, not from higher floors.

import type { IForbiddenRuleType } from 'dependency-cruiser';
import { allowedImports, floorTable } from './floor-table.ts';

const packageFolder = (name: string): string => `^packages/${name}/`;
const anyPackage = '^packages/';
const testFile = '[.]test[.]ts$|^packages/[^/]+/(?:test/|vitest[.]config[.]ts$)';
const productFile: { path: string; pathNot: string } = { path: anyPackage, pathNot: testFile };

const floorRules: IForbiddenRuleType[] = Object.keys(floorTable).map((name) => ({
  name: `floor-of-${name}`,
  comment: `${name} imports only ${allowedImports(name).join(', ') || 'itself'}`,
  severity: 'error',
  from: { path: packageFolder(name) },
  to: { path: '^(?:packages|apps)/', pathNot: `^packages/(?:${[name, ...allowedImports(name)].join('|')})/` },
}));

const isomorphicRules: IForbiddenRuleType[] = [
  {
    name: 'no-builtin-below-floor-8',
    comment: 'packages run in a browser too: files, processes and streams are the business of apps',
    severity: 'error',
    from: productFile,
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'no-dynamic-import-below-floor-8',
    comment: 'what a stage reaches must be readable from its imports',
    severity: 'error',
    from: productFile,
    to: { dynamic: true },
  },
  {
    name: 'no-npm-package-below-floor-8',
    comment: 'the model stands on nothing but itself',
    severity: 'error',
    from: productFile,
    to: { path: 'node_modules' },
  },
];

const exportsMapRules: IForbiddenRuleType[] = [
  {
    name: 'no-way-round-the-exports-map',
    comment: 'another package is imported by name, never by a relative path',
    severity: 'error',
    from: { path: '^packages/([^/]+)/', pathNot: '/vitest[.]config[.]ts$' },
    to: { path: '^(?:packages|apps|tools)/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
  },
  {
    name: 'no-way-round-the-exports-map-from-outside',
    comment: 'apps and tools import packages by name too',
    severity: 'error',
    from: { path: '^(?:apps|tools)/' },
    to: { path: anyPackage, dependencyTypes: ['local'] },
  },
  {
    name: 'no-unresolved-import',
    comment: 'an entry that no exports map names, or a file that is not there',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
];

/** Physical addresses of a peer's memory are for whoever programs an IOMMU; the kernel exports these calls to one module. */
const exportedToOneModule: IForbiddenRuleType[] = [
  {
    name: 'physical-lists-are-for-iommufd',
    comment: 'the importer calls of @sgfree/dma-buf/iommufd are exported to iommufd alone',
    severity: 'error',
    from: { path: '^(?:packages|apps)/', pathNot: `^packages/(?:dma-buf|iommufd)/|${testFile}` },
    to: { path: '^packages/dma-buf/src/(?:iommufd|mapping-type/phys-list-import)[.]ts$' },
  },
];

const cycleRules: IForbiddenRuleType[] = [
  {
    name: 'no-cycle',
    comment: 'modules that need each other are one module; type imports may look back within a package',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
];

/** Every rule of the house. */
export const floorRuleSet: readonly IForbiddenRuleType[] = [
  ...floorRules,
  ...isomorphicRules,
  ...exportsMapRules,
  ...exportedToOneModule,
  ...cycleRules,
];
