// Who and where the running turn is. The same at every replay.

export { ActorId, self, incarnation, invocationId } from "loom/host/context";
