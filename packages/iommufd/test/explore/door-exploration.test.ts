// Every schedule of an owner that takes its memory back against iommufd, by each door: no entry stays, no lock is taken in the wrong
// order, nothing is left over, and those who misbehave are found.
import { explorationTests } from '@sgfree/exploration/tests';
import { doorSuite } from './door-suite.ts';

explorationTests(doorSuite, 600);
