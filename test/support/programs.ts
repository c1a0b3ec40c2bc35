/** Programs that tests write themselves, on top of modules of src/, and the commands that they may find. */
import { spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeModules } from '../../scripts/modules.js';
import { temporaryDirectory } from './directories.js';
import { type Finished, finished, type ProcessOptions, startProcess, type TestProcess } from './processes.js';
import { until } from './wait.js';

const ROOT = resolve(import.meta.dirname, '../..');

let directory: string | undefined;
let written = 0;

/** A directory of src/ as JavaScript that any user may read, one for all tests of a file. */
function modules(): string {
  if (directory !== undefined) return directory;
  directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  writeModules(directory);
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
  return directory;
}

export interface ProgramOptions extends ProcessOptions {
  args?: string[];
  /** Path of the binary to run it with; default: the tests' own. */
  node?: string | undefined;
}

/** Starts module code that imports as if it stood in src/: `./log.js`. */
export function startProgram(code: string, { args = [], node, ...options }: ProgramOptions = {}): TestProcess {
  const path = join(modules(), `program-${++written}.js`);
  writeFileSync(path, code);
  return startProcess(node ?? process.execPath, [path, ...args], options);
}

/** Runs such code to its end. */
export function runProgram(code: string, options?: ProgramOptions): Promise<Finished> {
  return finished(startProgram(code, options));
}

/** The first line that a program prints. @throws Error when it ends without one. */
export async function firstLine(program: TestProcess): Promise<string> {
  await until(
    () => program.stdout.includes('\n') || program.ended !== undefined,
    () => `a line of a program:\n${program.log}`,
  );
  const [line, ...rest] = program.stdout.split('\n');
  if (line === undefined || rest.length === 0)
    throw new Error(`a program ended before it said anything:\n${program.log}`);
  return line;
}

/** A directory for `PATH` that holds only links to the named commands, as they are found now. */
export function pathWithOnly(...commands: string[]): string {
  const directory = temporaryDirectory();
  for (const command of commands) {
    const found = findCommand(command);
    if (found === undefined) throw new Error(`${command} is not installed`);
    symlinkSync(found, join(directory, command));
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
