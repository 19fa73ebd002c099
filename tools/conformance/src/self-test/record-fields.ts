// RecordFields: which fields the records of a suite have, by kind, and which of them are compared. A field that is
// recorded and not compared is an input, or it is ignored; a reviewer sees the list and can tell.
// Simplified: fields of one kind are collected over all files of the suite.

import { fieldsOutside, locate } from './output-path.ts';
import type { SelfTestFile } from './self-test-file.ts';

/** What was seen of one record kind. */
export interface KindFields {
  records: number;
  readonly outputs: readonly string[];
  readonly exercised: Set<string>;
  readonly inputs: Set<string>;
}

/** What was seen of one suite. */
export interface SuiteFields {
  files: number;
  readonly headerFields: Set<string>;
  readonly kinds: Map<string, KindFields>;
}

/** Adds the fields of a file to those of its suite. */
export function noteFields(suites: Map<string, SuiteFields>, file: SelfTestFile): void {
  const { suite } = file;
  let fields = suites.get(suite.name);
  if (fields === undefined) {
    const kinds = Object.entries(suite.outputs).map(
      ([kind, outputs]) =>
        [kind, { records: 0, outputs, exercised: new Set<string>(), inputs: new Set<string>() }] as const,
    );
    fields = { files: 0, headerFields: new Set(), kinds: new Map(kinds) };
    suites.set(suite.name, fields);
  }
  fields.files++;
  const header = suite.headerless === true ? {} : file.header;
  for (const field of Object.keys(header)) fields.headerFields.add(field);
  for (const record of file.records) {
    const kind = fields.kinds.get(suite.kindOf(record));
    if (kind === undefined) continue;
    kind.records++;
    for (const input of fieldsOutside(record, kind.outputs)) kind.inputs.add(input);
    for (const output of kind.outputs) {
      if (!kind.exercised.has(output) && locate(record, output).length > 0) kind.exercised.add(output);
    }
  }
}
