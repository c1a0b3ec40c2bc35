/** Compiles single source files for tests that need a process of their own. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** A new directory below the system's temporary one, holding what the given sources compile to; readable by all. */
export function compileSources(...files: string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'compiled-'));
  chmodSync(directory, 0o755);
  const options = ['--rootDir', 'src', '--outDir', directory, '--target', 'es2022', '--module', 'nodenext'];
  const tsc = ['node_modules/typescript/bin/tsc', ...files, ...options, '--types', 'node', '--ignoreConfig'];
  const run = spawnSync(process.execPath, tsc, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stdout + run.stderr);
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
  return directory;
}

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export type Program = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Starts module code from the directory; it may import the compiled sources as `./log.js`.
 * @param node path of the binary to run it with
 */
export function startProgram(
  directory: string,
  code: string,
  env: NodeJS.ProcessEnv = {},
  node = process.execPath,
): Program {
  const path = join(directory, `program-${process.hrtime.bigint()}.mjs`);
  writeFileSync(path, code);
  return spawn(node, [path], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What a program has written, once it has ended. */
export async function outcomeOf(program: Program): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  program.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  program.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => program.on('close', resolve));
  return { code, stdout, stderr };
}

export function runProgram(directory: string, code: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return outcomeOf(startProgram(directory, code, env));
}

/** The first output of a program that goes on running. */
export function firstOutput(program: Program): Promise<string> {
  return new Promise((resolve, reject) => {
    program.stdout.once('data', (chunk) => resolve(String(chunk)));
    program.once('close', (code) => reject(new Error(`ended with ${code} before it said anything`)));
  });
}

/** A directory for `PATH` that holds only links to the named commands, as they are found now. */
export function pathWithOnly(...commands: string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'path-'));
  for (const command of commands) {
    const found = findCommand(command);
    if (found === undefined) throw new Error(`${command} is not installed`);
    spawnSync('ln', ['-s', found, join(directory, command)]);
  }
  return directory;
}

/** The real file of a command, past wrapper scripts such as pyenv's; undefined when it is not installed. */
export function findCommand(command: string): string | undefined {
  if (command === 'python3') {
    const run = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
    return run.status === 0 ? run.stdout.trim() : undefined;
  }
  const run = spawnSync('/bin/sh', ['-c', `command -v ${command}`], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : undefined;
}
