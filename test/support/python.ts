/** Python with the clients that scripts/test-tools.sh installs into a virtual environment. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from './processes.js';

const VENV =
  process.env.CCMS_TEST_VENV ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ccms-test-venv');

/** Runs Python to its end. @returns what it printed. @throws Error with what it wrote when it fails. */
export async function python(args: string[]): Promise<string> {
  const program = join(VENV, 'bin/python');
  if (!existsSync(program)) throw new Error(`${program} is missing: run "bash scripts/test-tools.sh" first`);
  const { status, stdout, stderr } = await runProcess(program, args);
  if (status !== 0 || stderr !== '') throw new Error(`${args[0]} ended with ${status}:\n${stderr}`);
  return stdout;
}
