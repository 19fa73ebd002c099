// Every schedule of the owner of a BAR against regions of an RDMA adapter: nothing touches the memory once it is taken, all
// work ends as it must, nothing is left, and those who break the contract are found.
import { explorationTests } from '@sgfree/exploration/tests';
import { revokeSuite } from './revoke-suite.ts';

explorationTests(revokeSuite, 300);
