// Every schedule of the owner of a VFIO device against its importers: no byte lands late, nothing is left, and those who
// misbehave are found.
import { explorationTests } from '@sgfree/exploration/tests';
import { vfioSuite } from './vfio-scenarios.ts';

explorationTests(vfioSuite, 3000);
