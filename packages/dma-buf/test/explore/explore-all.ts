// The explorer of dma-buf as a program, the first part of `npm run explore`.
// Source followed: the usage that `exploreProgram` prints and checks.
// Simplified: none.

import { exploreProgram } from '@sgfree/exploration';
import { revokeSuite } from './revoke-suite.ts';

process.exitCode = exploreProgram(revokeSuite, { schedules: 2000, few: 100_000 });
