// Reading a machine: the listing of a server with 517 functions, from text to the tree.
// What is read is proven: as many functions, bridges and registers as were printed, and nothing to remark.
// Simplified: the text is in memory; opening and decoding the file is not timed.

import { readTopologyText } from '@sgfree/topology';
import type { BenchCase, PreparedCase } from '../bench-case.ts';
import { SERVER_FUNCTIONS, SERVER_HOSTS, SERVER_PORTS, serverListing } from '../synthetic-server.ts';
import { requireSame } from './iova-linear-walk.ts';

function prepare(): PreparedCase {
  const text = serverListing();
  const read = (): void => {
    const { functions, hostBridges, remarks } = readTopologyText(text);
    requireSame('functions', SERVER_FUNCTIONS, functions.length);
    requireSame('root buses', SERVER_HOSTS, hostBridges.length);
    requireSame('remarks', 0, remarks.length);
    const below = functions.filter(({ upstream }) => typeof upstream !== 'string').length;
    requireSame('functions below bridges', SERVER_HOSTS * (1 + 2 * SERVER_PORTS), below);
    const controls = functions.filter(({ acs }) => typeof acs.control === 'number').length;
    requireSame('control registers', SERVER_HOSTS * (1 + SERVER_PORTS), controls);
  };
  read();
  return {
    run(operations) {
      for (let done = 0; done < operations; done += 1) read();
    },
    rates: [
      { unit: 'MB', perOperation: text.length / 1e6 },
      { unit: 'functions', perOperation: SERVER_FUNCTIONS },
    ],
  };
}

/** A listing read. */
export const topologyRead: BenchCase = {
  name: 'topology/read-517',
  operation: 'an lspci -vvv listing of 517 functions read into a tree',
  prepare,
};
