// Every schedule of a driver that moves an object against its importers: no byte is lost or lands elsewhere, nothing is left, and
// those who misbehave are found.
import { explorationTests } from '@sgfree/exploration/tests';
import { gpuSuite } from './gpu-suite.ts';

explorationTests(gpuSuite, 600);
