/** Carries an operation out and answers with what it gives. */

import type { FastifyReply } from "fastify";
import type { Operation, OperationRequest } from "./operation.ts";
import { exceptionOf } from "./registry-exception.ts";

/**
 * Answers 200, with a body of JSON where the operation gives members. `onDone` is called before. Throws the exception for what the
 * operation refuses, and what it throws for a defect.
 */
export async function answerOperation<Context>(
  reply: FastifyReply,
  operation: Operation<Context>,
  context: Context,
  request: OperationRequest,
  onDone: () => void,
): Promise<FastifyReply> {
  let answer: object | undefined;
  try {
    answer = await operation.handle(context, request);
  } catch (error) {
    throw exceptionOf(error, operation.exceptions) ?? error;
  }
  onDone();
  void reply.code(200);
  return answer === undefined ? reply.send() : reply.type("application/json").send(JSON.stringify(answer));
}
