// The explorer over revokes of an RDMA importer, the last part of `npm run explore`.
// Source followed: the usage that `exploreProgram` prints and checks.
// Simplified: none.

import { exploreProgram } from '@sgfree/exploration';
import { revokeSuite } from './revoke-suite.ts';

process.exitCode = exploreProgram(revokeSuite, { schedules: 300, few: 10_000 });
