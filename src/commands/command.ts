#!/usr/bin/env node
/** Entry: the command `cc-metric-store`: the server (server.ts), or by its first word one of the tools beside it. */
import { COMMANDS, type Command } from './commands.js';

const ENTRIES: Record<Command, () => Promise<unknown>> = {
  export: () => import('./export.js'),
  inspect: () => import('./inspect.js'),
  'metrics-seen': () => import('./metrics-seen.js'),
  simulate: () => import('./simulate.js'),
};

const [word] = process.argv.slice(2);
if (word === undefined || word.startsWith('-')) await import('../server.js');
else if (isCommand(word)) {
  // The entries read their flags from here.
  process.argv.splice(2, 1);
  await ENTRIES[word]();
} else {
  const known = Object.keys(COMMANDS).join(', ');
  process.stderr.write(
    `unknown command ${JSON.stringify(word)}: expected one of ${known}, or the server's flags (-h)\n`,
  );
  process.exitCode = 2;
}

function isCommand(name: string): name is Command {
  return Object.hasOwn(COMMANDS, name);
}
