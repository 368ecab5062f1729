// Aim: the counter counts, a retry counts once, and a crash loses nothing.
import { describeCounter } from './contract.ts'

describeCounter('counter')
