// The tags of an XML text in their order: enough for topology files, no more.
// Source followed: XML 1.0, sections 2.1 to 2.5 and 3.1: start tags, end tags, empty tags, attributes, comments.
// Comments may stand anywhere between tags; text between tags means nothing in these files.
// Simplified: no entities but the five of XML, no CDATA, no document type; instructions are passed over.

import { shown, TopologyInputError } from '../model/topology-input-error.ts';

/** One tag. */
export interface XmlTag {
  readonly name: string;
  readonly kind: 'start' | 'end' | 'empty';
  readonly line: number;
  readonly attributes: ReadonlyMap<string, string>;
}

const attributeForm = /\s([^\s=/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Walks through the tags; throws {@link TopologyInputError} where the text ends inside one. */
export function* xmlTags(text: string): Generator<XmlTag> {
  let line = 1;
  let at = 0;
  for (;;) {
    const open = text.indexOf('<', at);
    if (open < 0) return;
    line += newlines(text, at, open);
    const [closing, skip] = endOf(text, open);
    const close = text.indexOf(closing, open);
    if (close < 0) {
      throw new TopologyInputError(
        'malformed',
        { line },
        `${shown(text.slice(open, open + 40))} to the end`,
        `"${closing}"`,
      );
    }
    if (!skip) yield tagOf(text.slice(open + 1, close), line);
    line += newlines(text, open, close);
    at = close + closing.length;
  }
}

/** How the thing that begins at `open` ends, and whether it is passed over. */
function endOf(text: string, open: number): [string, boolean] {
  if (text.startsWith('<!--', open)) return ['-->', true];
  if (text.startsWith('<?', open)) return ['?>', true];
  return ['>', text.startsWith('<!', open)];
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  // Not by indexOf: in a text of one line each search would run to its end.
  for (let at = from; at < to; at += 1) if (text.charCodeAt(at) === 10) count += 1;
  return count;
}

function tagOf(body: string, line: number): XmlTag {
  const end = body.startsWith('/');
  const name = /^[^\s/]+/.exec(end ? body.slice(1) : body)?.[0] ?? '';
  const attributes = new Map<string, string>();
  for (const [, key = '', double, single] of body.matchAll(attributeForm))
    attributes.set(key, plain(double ?? single ?? ''));
  return { name, kind: end ? 'end' : body.endsWith('/') ? 'empty' : 'start', line, attributes };
}

const plain = (value: string): string =>
  value.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name] ?? '');
