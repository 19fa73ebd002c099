// RouteText: the way of a request hop by hop, from the initiator up and down to the target, with the bits that decide.
// Source followed: the walk of calc_map_type_and_dist in drivers/pci/p2pdma.c; `ACSCtl:` lines as lspci prints them.
// Simplified: what lies above the common port is left out, since nothing there decides.

import { type RouteHop, routeHops } from '@sgfree/p2p';
import type { DumpedFunction } from '@sgfree/topology';
import { acsBitsText, redirectingBits } from './acs-words.ts';
import { deviceName, portWords } from './device-words.ts';
import type { Judge, P2pCase, PairVerdict } from './p2p-case.ts';
import { hostBridgeWords } from './verdict-words.ts';

/** The hops in the order in which a request passes them. */
export const hopsOf = (judge: Judge, { provider, client, route }: PairVerdict): RouteHop<DumpedFunction>[] =>
  routeHops(judge.view, provider, client, route).reverse();

/** One hop as lines: who it is, then its ACS control. */
export function routeText(asked: P2pCase, judge: Judge, pair: PairVerdict): string {
  const hops = hopsOf(judge, pair);
  const lines = hops.flatMap((hop, position) => {
    const turn = hop.side === 'provider' && hops[position - 1]?.side === 'client';
    return [...(turn ? [gapLine(asked, judge, pair)] : []), ...hopLines(judge, hop, pair)];
  });
  return ['The way of a request', ...lines].join('\n');
}

function hopLines(judge: Judge, hop: RouteHop<DumpedFunction>, pair: PairVerdict): string[] {
  const { at } = hop;
  return [
    `  ${roleOf(hop, pair).padEnd(ROLE_WIDTH)}  ${at.name}  ${portWords(at)}, ${deviceName(at)}`,
    `  ${' '.repeat(ROLE_WIDTH)}    ${acsLine(judge, hop, pair)}`,
  ];
}

const ROLE_WIDTH = 'common port'.length;

function roleOf({ at, side }: RouteHop<DumpedFunction>, { provider, client }: PairVerdict): string {
  if (at === provider && at === client) return 'both';
  if (at === client) return 'initiator';
  if (at === provider) return 'target';
  if (side === 'common') return 'common port';
  return side === 'client' ? 'up' : 'down';
}

function acsLine(judge: Judge, { at, redirects }: RouteHop<DumpedFunction>, { route }: PairVerdict): string {
  const register = judge.registerOf(at);
  if (register === 'absent') return 'no ACS capability: does not redirect';
  const bits = `ACSCtl: ${acsBitsText(register)}`;
  if (redirects === 'unknown') return `${bits}  <- not known: may redirect`;
  const deciding = redirectingBits(register.value);
  const effect = route.redirecting.includes(at) ? 'decides' : 'decides nothing without a common port';
  if (deciding.length > 0) return `${bits}  <- ${deciding.join(', ')}: redirects, ${effect}`;
  return `${bits}  <- none of RR, CR, EC: does not redirect`;
}

function gapLine(asked: P2pCase, judge: Judge, { provider, client, route }: PairVerdict): string {
  if (route.common === 'unknown') return `  ${'?'.padEnd(ROLE_WIDTH)}  bridges that the dump does not show`;
  const [up, down] = [client, provider].map((fn) => hostBridgeWords(asked, judge, fn));
  const same = judge.view.sameHost(provider, client) === true;
  return `  ${'root'.padEnd(ROLE_WIDTH)}  ${same ? `host bridge ${up}` : `host bridges ${up} and ${down}`}: no common port`;
}
