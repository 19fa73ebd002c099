// The explorer over the VFIO exporter, the second part of `npm run explore`.
// Source followed: the usage that `exploreProgram` prints and checks.
// Simplified: none.

import { exploreProgram } from '@sgfree/exploration';
import { vfioSuite } from './vfio-scenarios.ts';

process.exitCode = exploreProgram(vfioSuite, { schedules: 300, few: 100_000 });
