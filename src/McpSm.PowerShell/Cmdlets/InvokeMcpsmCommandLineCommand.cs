using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using McpSm.Commands;
using McpSm.Commands.Remedies;
using McpSm.Core.Errors;
using McpSm.PowerShell.Pipeline;

namespace McpSm.PowerShell.Cmdlets;

/// <summary>Runs the command tree in the session. <c>mcpsm.ps1</c> calls it; the module does not export it.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "McpsmCommandLine", DefaultParameterSetName = "Run", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.None)]
[OutputType(typeof(string))]
public sealed class InvokeMcpsmCommandLineCommand : McpCmdlet
{
    /// <summary>The arguments of <c>mcpsm</c>, as PowerShell parsed them.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Run")]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? ArgumentList { get; set; }

    /// <summary>The input of the pipeline, which is the standard input of the command. Null if <c>mcpsm</c> is not in a pipeline.</summary>
    [Parameter(ParameterSetName = "Run")]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[]? InputObject { get; set; }

    /// <summary>Reports the exit code of the last run as an error, if <c>$PSNativeCommandUseErrorActionPreference</c> is set.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Failed")]
    public SwitchParameter Failed { get; set; }

    private bool _hasWrittenError;

    private protected override RemedyFormatter Remedies => CliRemedyFormatter.Instance;

    protected override void ProcessRecord()
    {
        if (!Failed)
        {
            RunLine();
        }
        else if (LanguagePrimitives.IsTrue(GetVariableValue("PSNativeCommandUseErrorActionPreference")))
        {
            WriteError(StandardErrorLine.ForExitCode((int)GetVariableValue("global:LASTEXITCODE")));
        }
    }

    /// <summary>Writes a line of standard error. It does not stay in <c>$Error</c>, as with a native command.</summary>
    internal override void WriteForUser(string text) => Dispatcher.Post(() =>
    {
        var line = StandardErrorLine.Create(UntrustedText.SanitizeLine(text), isFirst: !_hasWrittenError);
        _hasWrittenError = true;
        WriteError(line);
        if (GetVariableValue("global:Error") is ArrayList { Count: > 0 } errors && ReferenceEquals(errors[0], line))
        {
            errors.RemoveAt(0);
        }
    });

    private void RunLine()
    {
        var arguments = (ArgumentList ?? []).Select(ToArgument).ToList();
        var lines = InputObject?.SelectMany(o => ToArgument(o).Split('\n')).Select(l => l.TrimEnd('\r')).ToList();
        var console = new HostConsole(this, lines) { IsWhatIf = LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference")) };
        var code = ExitCode.Cancelled;
        try
        {
            Run(async cancellationToken =>
            {
                code = await McpsmCommand.RunAsync(arguments, console, AppEnvironment, cancellationToken, VaultProviders).ConfigureAwait(false);
            });
        }
        finally
        {
            SessionState.PSVariable.Set("global:LASTEXITCODE", code);
        }
    }

    /// <summary>Converts an argument as PowerShell does for a native program: <c>a,b</c> is one argument, and numbers are culture-invariant.</summary>
    private static string ToArgument(object? argument) => (argument is PSObject wrapper ? wrapper.BaseObject : argument) switch
    {
        null => "",
        string text => text,
        SecureString secret => new NetworkCredential("", secret).Password,
        IEnumerable values => string.Join(',', values.Cast<object?>().Select(ToArgument)),
        IFormattable value => value.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? "",
    };
}
