// Every schedule of the small scenarios, none of which may break a rule; and every planted bug, each of which must.
import { explorationTests } from '@sgfree/exploration/tests';
import { revokeSuite } from './revoke-suite.ts';

explorationTests(revokeSuite, 8000);
