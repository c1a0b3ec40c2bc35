// Prints the command's manual page or its completion for bash, made from what its own -h says:
//     node scripts/command-help.js man TEMPLATE | completion
// The build must be there.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What `-h` lists: [name, placeholder, usage] of each flag, and of each command with an empty placeholder. */
function help(...words) {
  const { status, stderr } = spawnSync(process.execPath, ['dist/command.js', ...words, '-h'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`dist/command.js ${words.join(' ')} -h ended with ${status}: ${stderr}`);
  const entries = [...stderr.matchAll(/^ {2}(-?\S+)(?: (\S+))?\n {4}\t(.*)$/gm)];
  return entries.map(([, name = '', placeholder = '', usage = '']) => ({ name, placeholder, usage }));
}

const server = help();
const flags = server.filter(({ name }) => name.startsWith('-'));
const commands = server
  .filter(({ name }) => !name.startsWith('-'))
  .map(({ name, usage }) => ({ name, usage, flags: help(name) }));

/** In roff a dash is a hyphen unless it is escaped, and a backslash begins an escape. */
const roff = (text) => text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^\./, '\\&.');
const roffFlag = ({ name, placeholder, usage }) =>
  `.TP\n.B ${roff(name)}${placeholder ? ` \\fI${roff(placeholder)}\\fR` : ''}\n${roff(usage)}\n`;

function manPage(template) {
  const { version, date } = JSON.parse(readFileSync('dist/build-info.json', 'utf8'));
  const values = {
    VERSION: version,
    DATE: date.slice(0, 10),
    OPTIONS: flags.map(roffFlag).join(''),
    COMMANDS: commands
      .map(({ name, usage, flags }) => `.SS ${name}\n${roff(usage)}.\n${flags.map(roffFlag).join('')}`)
      .join(''),
  };
  return readFileSync(template, 'utf8').replace(/@([A-Z]+)@\n?/g, (whole, name) => {
    if (!(name in values)) throw new Error(`${template}: ${whole.trim()} is not known`);
    return values[name] + (whole.endsWith('\n') && !values[name].endsWith('\n') ? '\n' : '');
  });
}

function completion() {
  const names = (list) => list.map(({ name }) => name).join(' ');
  const taking = (placeholder) =>
    [
      ...new Set(
        [flags, ...commands.map(({ flags }) => flags)].flat().filter((flag) => flag.placeholder === placeholder),
      ),
    ]
      .map(({ name }) => name)
      .filter((name, i, all) => all.indexOf(name) === i)
      .join('|');
  const levels = /: (.*?)(?: \(|$)/.exec(flags.find(({ name }) => name === '-loglevel')?.usage ?? '')?.[1] ?? '';
  return `# bash completion for cc-metric-store; made by scripts/command-help.js
_cc_metric_store() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} flags
  COMPREPLY=()
  case $before in
    ${taking('FILE')}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    ${taking('DIR')}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    -loglevel) mapfile -t COMPREPLY < <(compgen -W '${levels.replaceAll(',', '')}' -- "$word"); return ;;
  esac
  case \${COMP_WORDS[1]} in
${commands.map(({ name, flags }) => `    ${name}) flags='${names(flags)}' ;;`).join('\n')}
    *) flags='${names(flags)}' ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && flags+=' ${names(commands)}'
  mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
  if [ \${#COMPREPLY[@]} -eq 0 ]; then compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi
}
complete -F _cc_metric_store cc-metric-store
`;
}

const [what, template] = process.argv.slice(2);
if (what === 'man' && template) process.stdout.write(manPage(template));
else if (what === 'completion') process.stdout.write(completion());
else {
  process.stderr.write('usage: node scripts/command-help.js man TEMPLATE | completion\n');
  process.exitCode = 2;
}
