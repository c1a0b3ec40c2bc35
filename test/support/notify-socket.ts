/** systemd's side of its protocol: the datagram socket that `$NOTIFY_SOCKET` names. */
import { startProcess, type TestProcess } from './processes.js';
import { findCommand } from './programs.js';
import { until } from './wait.js';

/** Prints every datagram as a line of JSON. */
const RECEIVER = `import json, socket, sys
path = sys.argv[1]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("\\0" + path[1:] if path.startswith("@") else path)
print('"bound"', flush=True)
while True: print(json.dumps(server.recv(4096).decode()), flush=True)`;

export class NotifySocket {
  /** What has been received, oldest first; without systemd-notify's own question whether all has been read. */
  readonly states: string[] = [];
  #rest = '';
  #bound = false;

  /**
   * Resolves once the socket is there; it goes with its process, at the end of the file at the latest.
   * @param path of the socket, or `@name` in the abstract namespace.
   * @param onState told each state as it comes.
   */
  static async open(path: string, onState: (state: string) => void = () => {}): Promise<NotifySocket> {
    const socket = new NotifySocket();
    const receiver: TestProcess = startProcess(findCommand('python3') ?? 'python3', ['-c', RECEIVER, path], {
      name: `receiver of ${path}`,
      onStdout: (text) => socket.#take(text, onState),
    });
    await until(
      () => socket.#bound || receiver.ended !== undefined,
      () => `the socket ${path}:\n${receiver.log}`,
    );
    if (!socket.#bound) throw new Error(`no socket at ${path}:\n${receiver.log}`);
    return socket;
  }

  #take(text: string, onState: (state: string) => void): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const state = JSON.parse(line) as string;
      if (!this.#bound) this.#bound = true;
      else if (state !== 'BARRIER=1') {
        this.states.push(state);
        onState(state);
      }
    }
  }

  count(wanted: string): number {
    return this.states.filter((state) => state === wanted).length;
  }
}
