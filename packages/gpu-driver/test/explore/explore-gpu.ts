// The explorer over the GPU exporters, a part of `npm run explore`.
// Source followed: the usage that `exploreProgram` prints and checks.
// Simplified: none.

import { exploreProgram } from '@sgfree/exploration';
import { gpuSuite } from './gpu-suite.ts';

process.exitCode = exploreProgram(gpuSuite, { schedules: 100, few: 20_000 });
