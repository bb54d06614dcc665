#pragma once

#include "api/method.h"
#include "chat/conversation.h"

namespace todo::api {

/// The methods of `todo.v1.ChatService`. `conversation` must outlive the table that is built from
/// them.
ServiceDefinition MakeChatMethods(chat::Conversation& conversation);

}  // namespace todo::api
