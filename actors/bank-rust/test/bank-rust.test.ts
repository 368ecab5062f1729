// Aim: an account refuses by name, transfers whole amounts, and loses nothing in a crash.
import { describeBank } from '../../bank/test/contract.ts'

describeBank('bank-rust')
