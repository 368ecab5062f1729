// HTTP requests, to where the actor's type allows them. The turn waits for the response, which is recorded.

export { Request, Response, ErrorCode, FetchError, fetch } from "loom/host/http";
