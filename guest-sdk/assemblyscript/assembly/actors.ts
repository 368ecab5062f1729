// Other actors, by name. A typed client is for those whose contract is known.

export { ActorId, CallError, call, send, sendLater } from "loom/host/actors";
