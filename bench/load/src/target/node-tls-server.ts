/** Program: a TLS server that reads and forgets. */

import { serve } from "./serve.ts";

serve((socket) => {
  socket.resume();
});
