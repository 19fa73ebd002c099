// RecordFile: one file of recorded behaviour, as lines of JSON. The first line is the header, except in the request
// lists that have none. Gzip is told by content, never by name.
// Source followed: the two READMEs of `vectors/`, conventions of the .jsonl files.
// Simplified: the whole text is held in memory; lines are parsed when they are asked for.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dumpedTraceLines } from './dumped-trace.ts';
import type { JsonRecord } from './suite.ts';

/** Why a file or a line of it cannot be replayed. */
export type FileFailureCode =
  | 'unreadable'
  | 'broken-gzip'
  | 'not-utf8'
  | 'empty'
  | 'broken-header'
  | 'unknown-suite'
  | 'no-records'
  | 'broken-line'
  | 'outside-model'
  | 'replay-error';

/** A file or line that cannot be replayed. Tests match on `code`. */
export class BrokenFile extends Error {
  override readonly name = 'BrokenFile';
  readonly code: FileFailureCode;
  readonly line: number;

  constructor(code: FileFailureCode, line: number, message: string) {
    super(message);
    this.code = code;
    this.line = line;
  }
}

/** Text of a file, gunzipped when its content says so; throws {@link BrokenFile}. */
export function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new BrokenFile('unreadable', 0, `cannot be read: ${(error as Error).message}`);
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes);
    } catch (error) {
      throw new BrokenFile('broken-gzip', 0, `broken gzip: ${(error as Error).message}`);
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BrokenFile('not-utf8', 0, 'is not UTF-8 text');
  }
}

/** The lines of a record file; throws {@link BrokenFile} when there is none. */
export function readLines(path: string): string[] {
  const dumped = dumpedTraceLines(path, readText);
  if (dumped?.length === 1)
    throw new BrokenFile('no-records', 1, 'the dumps beside the trace name no device');
  if (dumped !== null) return dumped;
  const lines = readText(path).split('\n');
  while (lines.length > 0 && lines[lines.length - 1]?.trim() === '') lines.pop();
  if (lines.length === 0) throw new BrokenFile('empty', 0, 'the file is empty');
  return lines;
}

/** The JSON object on a line (1-based line number, for messages); throws {@link BrokenFile}. */
export function parseLine(lines: readonly string[], lineNumber: number): JsonRecord {
  const code = lineNumber === 1 ? 'broken-header' : 'broken-line';
  let value: unknown;
  try {
    value = JSON.parse(lines[lineNumber - 1] ?? '');
  } catch (error) {
    throw new BrokenFile(code, lineNumber, `line ${lineNumber} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BrokenFile(code, lineNumber, `line ${lineNumber} is not a JSON object`);
  }
  return value as JsonRecord;
}
