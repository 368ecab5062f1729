// Ticks that last as long as the actor is resident: each is a turn of the actor's class that extends TimerHandler.

export { Missed, Schedule, TimerHandler, set_ as setTimer, cancel as cancelTimer } from "loom/host/timers";
