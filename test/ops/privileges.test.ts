import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lookUpIdentity } from '../../src/ops/privileges.js';
import { temporaryDirectory } from '../support/directories.js';
import { runProgram } from '../support/programs.js';

/** Only root can become somebody else. */
const isRoot = process.geteuid?.() === 0;
const run = (code: string, env: NodeJS.ProcessEnv = {}) =>
  runProgram(
    `import * as fs from 'node:fs'; import { createServer, connect } from 'node:net'; import { Worker } from 'node:worker_threads';
     import { dropPrivileges, lookUpIdentity, makeOwnedDirectory } from './ops/privileges.js';
     ${code}`,
    { env },
  );

describe('lookUpIdentity', () => {
  it('finds users and groups, the group of a user being its default', () => {
    const { uid, gid, user } = lookUpIdentity('daemon', undefined);
    expect([uid > 0, gid > 0, user]).toEqual([true, true, 'daemon']);
    expect(lookUpIdentity('daemon', 'sys').gid).not.toBe(gid);
    expect(lookUpIdentity(undefined, 'daemon')).toEqual({ uid: process.geteuid?.(), gid, user: null });
  });

  it.each([
    ['no-such-user', undefined, 'main.user: there is no user "no-such-user"'],
    [undefined, 'no-such-group', 'main.group: there is no group "no-such-group"'],
    ['-x', undefined, 'main.user: there is no user "-x"'],
  ])('refuses user %s, group %s', (user, group, message) => {
    expect(() => lookUpIdentity(user, group)).toThrow(message);
  });
});

describe.skipIf(!isRoot)('dropPrivileges as root', () => {
  it('keeps a port below 1024, owns its files, and finds no way back, in all threads', async () => {
    const directory = temporaryDirectory();
    const { status, stdout, stderr } = await run(`
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((online) => worker.on('online', online));
      fs.readFileSync('/etc/passwd'); await fs.promises.readFile('/etc/passwd');
      const server = createServer((socket) => socket.end('hello'));
      for (let port = 700; ; port++) {
        try { await new Promise((ok, fail) => server.once('error', fail).listen(port, '127.0.0.1', ok)); break; }
        catch (error) { if (port > 900) throw error; }
      }
      const identity = lookUpIdentity('daemon', undefined);
      fs.chmodSync(${JSON.stringify(directory)}, 0o755);
      const data = ${JSON.stringify(join(directory, 'a/b'))};
      makeOwnedDirectory(data, identity);
      process.setgroups([0, 4]);
      dropPrivileges(identity);
      dropPrivileges(identity);
      fs.writeFileSync(data + '/file', 'x');
      const attempts = [
        () => fs.readFileSync('/etc/shadow'), () => process.setuid(0), () => process.seteuid('root'), () => process.setgid(0),
        () => process.setgroups([0]), () => fs.writeFileSync(${JSON.stringify(join(directory, 'x'))}, ''),
      ].map((attempt) => { try { attempt(); return 'done'; } catch (error) { return error.code; } });
      const port = server.address().port;
      const answer = await new Promise((got) => connect(port, '127.0.0.1').on('data', (text) => got(String(text))));
      const threads = fs.readdirSync('/proc/self/task');
      const uids = threads.map((id) => /^Uid:\\t(.*)$/m.exec(fs.readFileSync('/proc/self/task/' + id + '/status', 'utf8'))[1]);
      console.log(JSON.stringify({
        attempts, answer, isPrivileged: port < 1024, threads: threads.length > 5, uids: [...new Set(uids)],
        owners: ['', '/..', '/file'].map((name) => fs.statSync(data + name).uid), groups: process.getgroups(), identity,
      }));
      process.exit(0);`);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const { uid, gid } = lookUpIdentity('daemon', undefined);
    expect(JSON.parse(stdout)).toEqual({
      attempts: ['EACCES', 'EPERM', 'EPERM', 'EPERM', 'EPERM', 'EACCES'],
      answer: 'hello',
      isPrivileged: true,
      threads: true,
      uids: [`${uid}\t${uid}\t${uid}\t${uid}`],
      owners: [uid, uid, uid],
      groups: [gid],
      identity: { uid, gid, user: 'daemon' },
    });
  });

  it('changes only the group when no user is given', async () => {
    const { stdout, stderr } = await run(`
      process.setgroups([0, 4]);
      dropPrivileges(lookUpIdentity(undefined, 'daemon'));
      console.log(process.getuid(), process.getgid(), JSON.stringify(process.getgroups()));`);
    const { gid } = lookUpIdentity(undefined, 'daemon');
    expect([stdout, stderr]).toEqual([`0 ${gid} [${gid}]\n`, '']);
  });

  it('fails for a process that is not root, and for one that uses io_uring', async () => {
    const become = (user: string) => `dropPrivileges(lookUpIdentity('${user}', undefined));`;
    const notRoot = await run(
      `${become('daemon')} try { ${become('bin')} } catch (error) { console.log(error.code, error.message); }`,
    );
    expect(notRoot.stdout).toMatch(
      /^PRIVILEGES cannot become user \d+, group \d+ \(main\.user, main\.group\): the process runs as user \d+, not as root/,
    );
    const uring = await run(`try { ${become('daemon')} } catch (error) { console.log(error.message); }`, {
      UV_USE_IO_URING: '1',
    });
    expect(uring.stdout).toMatch(/UV_USE_IO_URING is set/);
  });
});
