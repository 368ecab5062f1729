// Durable ticks: each is a turn of the actor's class that extends ReminderHandler, once, also over restarts.

export { Missed, Schedule, Reminder, ReminderHandler } from "loom/host/reminders";
export { set_ as setReminder, cancel as cancelReminder, listAll as listReminders } from "loom/host/reminders";
