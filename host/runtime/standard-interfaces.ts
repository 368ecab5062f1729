/**
 * The interfaces that every host serves.
 */
import { answerClient } from '../hostcalls/actor-clients.ts'
import { HostInterfaces } from '../hostcalls/host-interface.ts'
import { serveLoomActor } from '../hostcalls/loom-actor.ts'
import { serveLoomHttp } from '../hostcalls/loom-http.ts'
import { serveWasi } from '../hostcalls/wasi.ts'

export function standardInterfaces(): HostInterfaces {
  const interfaces = new HostInterfaces()
  serveLoomActor(interfaces)
  serveLoomHttp(interfaces)
  serveWasi(interfaces)
  interfaces.addRule(answerClient)
  return interfaces
}
