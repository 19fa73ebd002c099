// A machine graph in the language of Graphviz.
// Source followed: the DOT language: in a quoted string a quote and a backslash are escaped, `\l` ends a line.
// Simplified: one style; dot chooses the places.

import type { GraphEdge, GraphNode, MachineGraph } from './machine-graph.ts';

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** The graph, ready for `dot -Tsvg`. */
export function graphDot({ title, nodes, edges }: MachineGraph): string {
  return [
    'digraph machine {',
    `  label=${quoted(title)};`,
    '  rankdir=LR;',
    '  node [shape=box, fontname="monospace", fontsize=10, style=filled, fillcolor=white];',
    '  edge [arrowhead=none];',
    ...nodes.map(nodeLine),
    ...edges.map(edgeLine),
    '}',
    '',
  ].join('\n');
}

const FILL: Readonly<Record<GraphNode['acs'], string>> = {
  redirects: '#ffb3b3',
  hidden: '#eeeeee',
  clear: '#ffffff',
};

function nodeLine({ id, lines, shape, acs, onPath }: GraphNode): string {
  const text = `"${lines.map((line) => quoted(line).slice(1, -1)).join('\\n')}"`;
  const attributes = [`label=${text}`, `fillcolor="${shape === 'host' ? '#dde7ff' : FILL[acs]}"`];
  if (shape === 'device') attributes.push('shape=ellipse');
  if (shape === 'hidden') attributes.push('style=dashed');
  if (acs === 'redirects') attributes.push('color="#cc0000"');
  if (onPath) attributes.push('penwidth=3');
  return `  ${id} [${attributes.join(', ')}];`;
}

function edgeLine({ from, to, kind, onPath }: GraphEdge): string {
  const attributes = [];
  if (kind !== 'link') attributes.push('style=dashed');
  if (kind === 'root-complex') attributes.push('constraint=false', 'label="root complex"');
  if (onPath) attributes.push('penwidth=3', 'color="#0055cc"');
  return `  ${from} -> ${to}${attributes.length === 0 ? '' : ` [${attributes.join(', ')}]`};`;
}
