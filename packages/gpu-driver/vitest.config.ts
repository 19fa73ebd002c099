import { packageTests } from '../../tools/vitest-package.ts';

export default packageTests;
