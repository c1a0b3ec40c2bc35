/** The sub-commands of `cc-metric-store`; each is an entry of its own too. */
export const COMMANDS = {
  export: "Write what a stopped server has stored as the Go server's checkpoints",
  inspect: 'Print what checkpoint and log files hold, and whether they are whole',
  'metrics-seen':
    'Print metrics that a running server receives without being configured, with a configuration for them',
  simulate: 'Post a realistic cluster at a running server',
} as const;

export type Command = keyof typeof COMMANDS;

/** For the usage text of the server, with a final newline. */
export function commandsText(): string {
  const lines = Object.entries(COMMANDS).map(([name, usage]) => `  ${name}\n    \t${usage}`);
  return `Commands instead of the server (cc-metric-store COMMAND -h lists their flags):\n${lines.join('\n')}\n`;
}
