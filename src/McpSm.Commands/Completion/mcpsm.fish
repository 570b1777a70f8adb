# Completes mcpsm in fish. In ~/.config/fish/config.fish:  mcpsm completion fish | source
# The words go through standard input, because other users can see arguments and one may be a token. fish quotes the suggestions.
function __mcpsm_suggest
    set -l before (commandline -opc)
    # The current token may begin with an open quote.
    set -l word (commandline -ct | string trim --left --chars "'\"" | string unescape)
    printf '%s\n' $before[2..-1] "$word" 2>/dev/null | command mcpsm '[suggest]' 2>/dev/null
end
complete --command mcpsm --no-files --arguments '(__mcpsm_suggest)'
