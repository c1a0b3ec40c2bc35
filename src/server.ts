/** Entry: `node dist/server.js`. Opens the port, then reads the rest of the program. */
import { openEarlyPort } from './early-port.js';

const port = await openEarlyPort(process.argv.slice(2));
const { main } = await import('./main.js');
await main(port);
