// The explorer over the doors to iommufd, a part of `npm run explore`.
// Source followed: the usage that `exploreProgram` prints and checks.
// Simplified: none.

import { exploreProgram } from '@sgfree/exploration';
import { doorSuite } from './door-suite.ts';

process.exitCode = exploreProgram(doorSuite, { schedules: 300, few: 5000 });
