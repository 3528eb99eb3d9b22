// SPDX-License-Identifier: MIT
import { render } from "preact";
import { watchStatus } from "./api/status";
import { watchBudget } from "./chat/budget";
import { openChats } from "./chat/chats";
import { Page } from "./components/Page";
import { tellLanguage } from "./language/language";
import { keepSettings } from "./settings";
import "./style/base.css";

keepSettings();
tellLanguage();
render(<Page />, document.getElementById("page")!);
watchStatus();
watchBudget();
void openChats();
