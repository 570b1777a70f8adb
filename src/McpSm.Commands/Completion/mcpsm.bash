# Completes mcpsm in bash. In ~/.bashrc:  source <(mcpsm completion bash)
# The line goes through standard input, because other users can see arguments and one may be a token. The suggestions are quoted.
_mcpsm() {
    local word breaks=
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+==
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(printf '%s\n' "${COMP_LINE:0:COMP_POINT}" 2>/dev/null | command mcpsm '[suggest:bash]' "$breaks" 2>/dev/null)
}
complete -F _mcpsm mcpsm
