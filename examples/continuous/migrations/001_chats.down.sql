DROP TABLE chats, reminders;
